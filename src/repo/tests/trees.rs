//! Properties: any tree, any other tree.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tar::EntryType;

use super::*;

type Tree = BTreeMap<Vec<u8>, Entry>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File(Vec<u8>),
    Program(Vec<u8>),
    Link(Vec<u8>),
}

/// Names, half of them awkward.
const NAMES: [&[u8]; 20] = [
    b"a",
    b"b",
    b"c.py",
    b"dir",
    b"b.d",
    b"b-",
    b"with space",
    b" ",
    b"a b",
    b"b b",
    b"quo\"te",
    b"ta\tb",
    b"back\\slash",
    b"new\nline",
    "\u{fc}n\u{ef}".as_bytes(),
    b"\xff\xfe",
    b"-",
    b"trail ",
    b"\x7f",
    b"a\rb",
];

fn name() -> impl Strategy<Value = Vec<u8>> {
    proptest::sample::select(&NAMES[..]).prop_map(<[u8]>::to_vec)
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "([ab+ -]{0,3}(\r)?\n){0,12}([ab]{0,2})".prop_map(String::into_bytes),
        1 => Just(Vec::new()),
        1 => proptest::collection::vec(any::<u8>(), 0..300),
        1 => Just(b"\0\0\0".repeat(50)),
        // Text for git, since the NUL comes late.
        1 => "[a\n]{0,5}".prop_map(|end| [&b"x\n".repeat(5000)[..], b"\0\0", end.as_bytes()].concat()),
        1 => Just(b"-- \n\\ No newline\ndiff --git a/x b/x\n@@ -1 +1 @@\n".to_vec()),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        5 => content().prop_map(Entry::File),
        1 => content().prop_map(Entry::Program),
        1 => name().prop_map(Entry::Link),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let path = proptest::collection::vec(name(), 1..4).prop_map(|names| names.join(&b'/'));
    proptest::collection::btree_map(path, entry(), 0..8).prop_map(|all| {
        let mut tree = Tree::new();
        for (path, entry) in all {
            // A file where a folder is needed goes.
            let is_below = |kept: &Vec<u8>| path.starts_with(&[&kept[..], b"/"].concat());
            if !tree.keys().any(is_below) {
                tree.insert(path, entry);
            }
        }
        tree
    })
}

fn write(tree: &Tree, dir: &Path) {
    for (path, entry) in tree {
        let path = dir.join(OsStr::from_bytes(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            Entry::File(content) => fs::write(&path, content).unwrap(),
            Entry::Program(content) => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            Entry::Link(to) => {
                std::os::unix::fs::symlink(OsStr::from_bytes(to), &path).unwrap();
            }
        }
    }
}

fn read(dir: &Path) -> Tree {
    let walk = walkdir::WalkDir::new(dir).into_iter();
    let entries = walk.filter_entry(|entry| entry.file_name() != ".git");
    let mut tree = Tree::new();
    for entry in entries {
        let entry = entry.unwrap();
        let found = entry.path().symlink_metadata().unwrap();
        let read = if found.is_dir() {
            continue;
        } else if found.is_symlink() {
            Entry::Link(
                fs::read_link(entry.path())
                    .unwrap()
                    .as_os_str()
                    .as_bytes()
                    .to_vec(),
            )
        } else if found.permissions().mode() & 0o100 != 0 {
            Entry::Program(fs::read(entry.path()).unwrap())
        } else {
            Entry::File(fs::read(entry.path()).unwrap())
        };
        let path = entry.path().strip_prefix(dir).unwrap();
        tree.insert(path.as_os_str().as_bytes().to_vec(), read);
    }
    tree
}

/// What leads from one tree to another, as a sandbox would say it.
fn work(old: &Tree, new: &Tree) -> Work {
    let gone = old.keys().filter(|path| !new.contains_key(*path));
    let mut work = Work {
        deleted: gone.cloned().collect(),
        ..Work::default()
    };
    for (path, entry) in new
        .iter()
        .filter(|(path, entry)| old.get(*path) != Some(*entry))
    {
        work = match entry {
            Entry::File(content) => work.entry(EntryType::Regular, path, 0o664, content),
            Entry::Program(content) => work.entry(EntryType::Regular, path, 0o711, content),
            Entry::Link(to) => work.entry(EntryType::Symlink, path, 0o777, to),
        };
    }
    work
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_change_survives_as_a_patch_and_as_an_overlay(old in tree(), new in tree()) {
        let place = Place::new();
        write(&old, &place.source());
        let prepared = place.prepare_folder();
        let (changed, change) = work(&old, &new).capture(&place, &prepared);
        prop_assert_eq!(&change.notes, &Vec::<String>::new());
        prop_assert!(change.faithful);
        let applied = Changed::from_patch(&prepared, &change.patch, &place.scratch()).unwrap();
        prop_assert_eq!(applied.tree(), changed.tree());

        let dir = place.root.path().join("copy");
        copy(&prepared, &dir);
        let laid = changed.overlay().unwrap();
        lay(&laid, &dir);
        prop_assert_eq!(&read(&dir), &new);
        // git sees each change, and makes the same tree of it.
        git(&dir, &["add", "-A", "-f"]);
        prop_assert_eq!(git(&dir, &["write-tree"]), changed.tree());

        // git reads the patch as we do.
        let patch = place.root.path().join("change.patch");
        fs::write(&patch, &change.patch).unwrap();
        if !change.patch.is_empty() {
            // In the index alone: in a work tree git cannot put a folder where a link
            // to itself was.
            git(&dir, &["read-tree", "HEAD"]);
            git(&dir, &["apply", "--cached", "--whitespace=nowarn", patch.to_str().unwrap()]);
            prop_assert_eq!(git(&dir, &["write-tree"]), changed.tree());
        }
    }
}
