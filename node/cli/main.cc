#include "node/cli/cli.h"

int main(int argc, char** argv) { return kura::node::run_command_line(argc, argv); }
