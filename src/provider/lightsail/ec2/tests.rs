//! What EC2 says, in its own words.

use super::*;
use reqwest::header::HeaderMap;

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        name: "DescribeImages",
        status,
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn images(body: &str) -> Result<Vec<(String, String)>> {
    read_items(&reply(200, body), |item| {
        Some((text(item, "imageId")?, behind(item).1.join(" ")))
    })
}

#[test]
fn an_image_names_its_snapshots_the_root_devices_first() {
    let body = "<?xml version=\"1.0\"?><DescribeImagesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
        <requestId>r</requestId><imagesSet><item><imageId>ami-1</imageId><rootDeviceName>/dev/sda1</rootDeviceName>\
        <blockDeviceMapping>\
        <item><deviceName>/dev/xvdf</deviceName><ebs><snapshotId>snap-b</snapshotId></ebs></item>\
        <item><deviceName>/dev/sda1</deviceName><ebs><snapshotId>snap-a</snapshotId></ebs></item>\
        <item><deviceName>/dev/sdb</deviceName><virtualName>ephemeral0</virtualName></item>\
        </blockDeviceMapping></item><item><imageId>ami-2</imageId></item></imagesSet></DescribeImagesResponse>";
    let read = images(body).expect("images");
    let expected = [("ami-1", "snap-a snap-b"), ("ami-2", "")];
    assert_eq!(
        read,
        expected.map(|(id, behind)| (id.to_owned(), behind.to_owned()))
    );
    let none = "<DescribeImagesResponse><imagesSet/></DescribeImagesResponse>";
    assert_eq!(images(none).expect("none"), []);
}

#[test]
fn a_reply_of_another_kind_is_no_empty_list() {
    for body in [
        "",
        "<html><body>log in</body></html>",
        "<DescribeImagesResponse>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "{}",
    ] {
        let error = images(body).expect_err(body);
        assert_eq!(error.kind, Kind::Provider, "{body}");
    }
}

#[test]
fn refusals_are_told_apart() {
    for (status, code, kind) in [
        (403, "UnauthorizedOperation", Kind::Permission),
        (401, "AuthFailure", Kind::Credentials),
        (400, "RequestExpired", Kind::Credentials),
        (400, "OptInRequired", Kind::Credentials),
        (503, "RequestLimitExceeded", Kind::RateLimited),
        (400, "Throttling", Kind::RateLimited),
        (500, "InternalError", Kind::Unavailable),
        (503, "Unavailable", Kind::Unavailable),
        (400, "InvalidParameterValue", Kind::Provider),
    ] {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>why</Message></Error></Errors>\
             <RequestID>r-1</RequestID></Response>"
        );
        let refused = read_items(&reply(status, &body), |_| None::<(String, ())>);
        let error = refused.expect_err("refused");
        assert_eq!(error.kind, kind, "{status} {code}");
        assert_eq!(error.details.code.as_deref(), Some(code));
        assert_eq!(error.details.request_id.as_deref(), Some("r-1"));
        assert_eq!(error.details.causes, ["why"]);
    }
}
