/** Preloaded into what `npm run dev` starts, so that neither a compiler nor a server is left when that process is killed. */

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel alone must not keep the process running.
process.channel?.unref();
