@rem npm run a script of package.json in cmd.exe, which has no exec: there, this file is found instead. It runs its arguments.
@%*
