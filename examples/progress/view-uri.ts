/** The URI of the view of `my_progress`: the tool names it, and the resource serves it. */
export const VIEW_URI = 'ui://progress/view.html';
