//! Changes that are large: what crosses from the agent's sandbox to the verdict's.

use crate::yard::{Yard, bash};

/// As a package manager leaves it: many files, folders of its own, links, a set-uid
/// program, owners.
const INSTALL: &str = r#"set -e
for n in $(seq 40); do
  mkdir -p /opt/suite/lib$n
  for m in $(seq 50); do head -c 104857 /dev/urandom > /opt/suite/lib$n/part$m.so; done
done
ln -s lib1/part1.so /opt/suite/current
chown -R 1234:4321 /opt/suite/lib7 && chmod 4755 /opt/suite/lib7/part7.so
mknod /opt/suite/queue p
cd /opt/suite && find . -type f -print0 | sort -z | xargs -0 sha256sum > /opt/suite.sums"#;

const INSTALLED: &str = r#"set -e
cd /opt/suite
sha256sum --quiet -c /opt/suite.sums
[ "$(find . -type f | wc -l)" = 2000 ]
[ "$(readlink current)" = lib1/part1.so ]
[ "$(stat -c '%u:%g %a' lib7/part7.so)" = '1234:4321 4755' ]
[ ! -e queue ]
echo 1 > /logs/verifier/reward.txt"#;

#[test]
fn two_hundred_megabytes_of_installed_files_cross() {
    let yard = Yard::new();
    let task = yard.task("suite", "", INSTALL, INSTALLED);
    let trial = yard.one(&task, "oracle", &["--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let warnings = trial["warnings"].to_string();
    assert!(
        warnings.contains("/opt/suite/queue was left out"),
        "{warnings}"
    );
    assert_eq!(yard.left(), Vec::<String>::new());
}

#[test]
fn a_file_with_holes_crosses_by_its_data() {
    let yard = Yard::new();
    // Twice what a change may have.
    let make = "truncate -s 4G /disk.img && printf data | dd of=/disk.img bs=1M seek=3000 conv=notrunc status=none";
    let look = r#"[ "$(stat -c %s /disk.img)" = 4294967296 ] && [ "$(stat -c %b /disk.img)" -lt 2048 ] \
  && [ "$(dd if=/disk.img bs=1M skip=3000 count=1 status=none | head -c 4)" = data ] \
  && echo 1 > /logs/verifier/reward.txt"#;
    let task = yard.task("disk", "", make, look);
    let trial = yard.one(&task, "oracle", &["--no-check"]);
    assert_eq!(trial["outcome"], "resolved", "{trial:#}");
    let stored = yard.stored(&trial).join("change.tar.zst");
    assert!(stored.metadata().unwrap().len() < 1 << 20);
}

#[test]
fn a_change_beyond_the_bound_says_so() {
    let yard = Yard::new();
    let task = yard.answer("flood");
    let script = yard.script(
        "fill.jsonl",
        &[bash("head -c 3000000 /dev/urandom > /much")],
    );
    let trial = yard.one(
        &task,
        &script,
        &["--no-check", "--set", "limits.change_mb=2"],
    );
    assert_eq!(trial["outcome"], "unresolved", "{trial:#}");
    assert_eq!(trial["verdict"]["reason"], "change_too_large");
}
