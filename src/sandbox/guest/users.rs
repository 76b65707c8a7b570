//! Who commands run as: users and groups by reading `/etc/passwd` and
//! `/etc/group`, never by the C library, which in a static binary would load
//! modules of the image.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use crate::sandbox::{GuestError, GuestErrorKind};

/// A user as the kernel and a program's environment know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub home: String,
    pub name: String,
}

/// The most that is read of a user database.
const MOST: u64 = 4 << 20;

/// Finds a user: empty (root), `name`, `uid`, `name:group` or `uid:gid`.
pub fn lookup(spec: &str) -> Result<Identity, GuestError> {
    find(spec, &database("/etc/passwd"), &database("/etc/group"))
}

/// The home of each user, as the databases have it now.
pub fn homes() -> BTreeMap<u32, String> {
    homes_in(&database("/etc/passwd"))
}

fn homes_in(passwd: &str) -> BTreeMap<u32, String> {
    let mut homes = BTreeMap::new();
    for entry in passwd.lines().map(fields) {
        let home = entry.get(5).filter(|home| !home.is_empty());
        if let (Some(uid), Some(home)) = (entry.get(2).and_then(|uid| uid.parse().ok()), home) {
            homes.entry(uid).or_insert_with(|| (*home).to_owned());
        }
    }
    homes
}

fn database(path: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(path)
        && file.metadata().is_ok_and(|meta| meta.is_file())
    {
        // What cannot be read is as good as an empty database.
        let _ = file.take(MOST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn find(spec: &str, passwd: &str, group: &str) -> Result<Identity, GuestError> {
    let (user, named_group) = match spec.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (spec, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let number: Option<u32> = user.parse().ok();
    let entry = passwd.lines().map(fields).find(|entry| {
        entry.len() >= 4
            && (entry[0] == user || number.is_some_and(|uid| entry[2].parse() == Ok(uid)))
    });
    let unknown = |what: &str, name: &str| GuestError {
        kind: GuestErrorKind::Invalid,
        message: format!("the sandbox has no {what} `{name}`"),
    };
    let (uid, mut gid, home, name) = match (&entry, number) {
        (Some(entry), _) => (
            entry[2].parse().map_err(|_| unknown("user", user))?,
            entry[3].parse().unwrap_or(0),
            entry
                .get(5)
                .filter(|home| !home.is_empty())
                .unwrap_or(&"/")
                .to_string(),
            entry[0].to_string(),
        ),
        (None, Some(uid)) => (
            uid,
            0,
            if uid == 0 { "/root".into() } else { "/".into() },
            user.to_string(),
        ),
        (None, None) => return Err(unknown("user", user)),
    };
    let mut groups: Vec<u32> = group
        .lines()
        .map(fields)
        .filter(|entry| entry.len() >= 4 && entry[3].split(',').any(|member| member == name))
        .filter_map(|entry| entry[2].parse().ok())
        .collect();
    if let Some(wanted) = named_group {
        gid = match wanted.parse() {
            Ok(gid) => gid,
            Err(_) => group
                .lines()
                .map(fields)
                .find(|entry| entry.len() >= 3 && entry[0] == wanted)
                .and_then(|entry| entry[2].parse().ok())
                .ok_or_else(|| unknown("group", wanted))?,
        };
        groups.clear();
    }
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    groups.truncate(64);
    Ok(Identity {
        uid,
        gid,
        groups,
        home,
        name,
    })
}

fn fields(line: &str) -> Vec<&str> {
    line.split(':').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000::/home/ana:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nana:x:1000:\ndocs:x:50:ana,bo\n";

    #[test]
    fn a_name_brings_its_groups_and_home() {
        let ana = find("ana", PASSWD, GROUP).unwrap();
        assert_eq!(
            (ana.uid, ana.gid, ana.home.as_str()),
            (1000, 1000, "/home/ana")
        );
        assert_eq!(ana.groups, [50, 1000]);
    }

    #[test]
    fn a_number_needs_no_entry() {
        let ghost = find("4242:7", PASSWD, GROUP).unwrap();
        assert_eq!((ghost.uid, ghost.gid, ghost.home.as_str()), (4242, 7, "/"));
    }

    #[test]
    fn nobody_in_particular_is_root_also_without_a_database() {
        assert_eq!(find("", "", "").unwrap().home, "/root");
    }

    #[test]
    fn of_two_entries_with_one_number_the_first_one_has_the_home() {
        let homes = homes_in(&format!(
            "{PASSWD}toor:x:0:0::/evil:/bin/sh\nbroken\nno:x:7:7::"
        ));
        let homes: Vec<_> = homes.into_iter().collect();
        assert_eq!(
            homes,
            [(0, "/root".to_owned()), (1000, "/home/ana".to_owned())]
        );
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(find("eve", PASSWD, GROUP).is_err());
        assert!(find("ana:eve", PASSWD, GROUP).is_err());
    }
}
