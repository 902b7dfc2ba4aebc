/** Where the view of `my_progress` is: the tool names it, the resource serves it. */
export const VIEW_URI = 'ui://progress/view.html';
