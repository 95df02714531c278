complete --keep-order --exclusive --command snapexport --arguments "(_SNAPEXPORT_COMPLETE=fish snapexport -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
