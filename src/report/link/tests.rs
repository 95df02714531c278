use super::*;

#[test]
fn an_address_cannot_end_its_link() {
    let address = Url::parse("https://a.example/#x\u{1b}\\\u{7}é y").expect("an address");
    let linked = link("word", Some(&address));
    assert_eq!(linked.matches('\x1b').count(), 4, "{linked:?}");
    assert!(!linked.contains('\u{7}') && linked.is_ascii(), "{linked:?}");
    assert_eq!(console::measure_text_width(&linked), 4);
}

#[test]
fn a_line_without_the_word_stays_as_it_is() {
    let address = Url::parse("https://a.example/").expect("an address");
    assert_eq!(link_in("one two", "three", Some(&address)), "one two");
    assert_eq!(link_in("one - two", "-", Some(&address)), "one - two");
    assert_eq!(link_in("one two", "two", None), "one two");
}
