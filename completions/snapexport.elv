set edit:completion:arg-completer[snapexport] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) _SNAPEXPORT_COMPLETE="elvish" snapexport -- $@words) | to-lines
}
