use super::*;

#[test]
fn keys_count_from_the_credentials_file_or_from_the_other_but_not_from_both() {
    let id = "aws_access_key_id = A";
    let secret = "aws_secret_access_key = S";
    let token = "AWS_SESSION_TOKEN=T\n  more\n# a note";
    let pair = format!("{id}\n{secret}");
    for (in_config, in_credentials, config_kept, credentials_kept) in [
        // A lasting pair has no token, whoever else has one.
        (format!("{pair}\n{token}"), pair.clone(), "", "A S"),
        (token.to_owned(), pair.clone(), "", "A S"),
        (pair.clone(), token.to_owned(), "A S", ""),
        (pair.clone(), String::new(), "A S", ""),
        (String::new(), pair.clone(), "", "A S"),
        // Two halves are no whole.
        (id.to_owned(), secret.to_owned(), "", "S"),
        (secret.to_owned(), id.to_owned(), "", "A"),
        // What is empty says nothing.
        (
            pair.clone(),
            "aws_access_key_id =\naws_secret_access_key=".into(),
            "A S",
            "",
        ),
    ] {
        let config = format!("[profile m] # mine\nregion = r\n{in_config}\n[profile n]\n{pair}\n");
        let credentials = format!("[ m ]\n{in_credentials}\n");
        let (kept_config, kept_credentials) = of_one_file(&config, &credentials)
            .unwrap_or_else(|| (config.clone(), credentials.clone()));
        let values = |text: &str, is_config| {
            let own: Vec<String> = lines(text, is_config)
                .filter(|line| line.profile == Some("m") && line.has_value())
                .filter(|line| line.setting.starts_with("aws_"))
                .filter_map(|line| Some(line.text.split_once('=')?.1.trim().to_owned()))
                .collect();
            own.join(" ")
        };
        let shown = format!("{in_config} | {in_credentials}");
        assert_eq!(values(&kept_config, true), config_kept, "{shown}");
        assert_eq!(
            values(&kept_credentials, false),
            credentials_kept,
            "{shown}"
        );
        assert!(
            !kept_config.contains("more") || config_kept.contains('T'),
            "{shown}"
        );
        // The rest stays where it was.
        assert!(kept_config.contains("region = r"), "{shown}");
        assert!(
            kept_config.ends_with(&format!("[profile n]\n{pair}\n")),
            "{shown}"
        );
        assert_eq!(
            kept_config.lines().count(),
            config.lines().count(),
            "{shown}"
        );
    }
}
