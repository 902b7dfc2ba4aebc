/** Preloaded into what `npm run dev` starts: whoever kills that without a word leaves neither a compiler nor a server behind. */

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel alone is no reason to stay.
process.channel?.unref();
