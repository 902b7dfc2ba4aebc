/** Makes a request polite. */
export declare function politely(request: string): string;
