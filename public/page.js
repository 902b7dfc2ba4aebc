/** The entry of the page's scripts. index.html works without them, and each part here adds to it. */
import { addCopyButtons, fillInOrigin, keepPaneOpen } from './code-block.js';
import { startTryIt } from './try-it.js';

for (const note of document.querySelectorAll('[data-without-script]')) note.remove();
fillInOrigin();
addCopyButtons();
keepPaneOpen();
startTryIt();
