# The system packages of a Replit workspace: the Node of .replit's module, and nothing else.
{ pkgs }: {
  deps = [
    pkgs.nodejs_24
  ];
}
