//! Who reaches whom.

use std::net::TcpListener;

use proofyard::sandbox::Sandbox;
use proofyard::sandbox::project::NetworkSpec;

use crate::place::{Place, project, service, sh, sh_in};

/// Says which of the addresses answer at a port, also where the route is gone round by
/// binding to the device. `gateway` is the first address of the own network.
const KNOCK: &str = r#"
import socket, sys
port, addresses = int(sys.argv[1]), sys.argv[2:]
own = socket.gethostbyname(socket.gethostname())
addresses = [a.replace("gateway", own.rsplit(".", 1)[0] + ".1") for a in addresses]
def knock(address, device):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1.5)
        try:
            if device:
                s.setsockopt(socket.SOL_SOCKET, 25, b"eth0\0")
            scope = socket.if_nametoindex("eth0")
            s.connect((address, port) if ":" not in address else (address, port, 0, scope))
            return True
        except OSError:
            return False
from concurrent.futures import ThreadPoolExecutor
doors = [(a, d) for a in addresses for d in (False, True)]
with ThreadPoolExecutor(len(doors)) as pool:
    for (address, device), open in zip(doors, pool.map(lambda door: knock(*door), doors)):
        if open:
            print(address, "bound" if device else "routed")
"#;

/// Every address of this host but those of its loopback.
fn addresses() -> Vec<String> {
    let trie = std::fs::read_to_string("/proc/net/fib_trie").unwrap();
    let lines: Vec<&str> = trie.lines().collect();
    let local = lines
        .windows(2)
        .filter(|two| two[1].contains("/32 host LOCAL"));
    let local = local.filter_map(|two| two[0].split("|-- ").nth(1));
    let mut found: Vec<String> = local.map(|text| text.trim().to_owned()).collect();
    found.retain(|address| !address.starts_with("127."));
    let six = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    for line in six.lines().filter(|line| !line.ends_with(" lo")) {
        let digits: Vec<&str> = (0..8)
            .map(|group| &line[group * 4..group * 4 + 4])
            .collect();
        found.push(digits.join(":"));
    }
    found.sort();
    found.dedup();
    assert!(!found.is_empty());
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_main_reach_each_other_by_name_and_no_address_of_the_host_answers() {
    let Some(place) = Place::new().await else {
        return;
    };
    let serve = "cd /data && echo found > page && exec python3 -m http.server 8000";
    let mut spec = project(vec![service("web", serve), service("other", "sleep 1000")]);
    spec.services[0].networks[0].1 = vec!["www".into()];
    let closed = place.up(&spec).await;
    let main = place.main(&closed).await;

    let listener = TcpListener::bind("[::]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let hosts = addresses().join(" ");
    let knock = format!("python3 -c '{KNOCK}' {port} gateway {hosts}");
    assert_eq!(sh_in(&closed, "other", &knock).await, "");
    assert_eq!(sh(&main, &knock).await, "");

    let fetch = |name: &str| {
        format!(
            "for i in $(seq 100); do exec 3<>/dev/tcp/{name}/8000 && break; sleep 0.1; done 2>/dev/null; printf 'GET /page HTTP/1.0\\r\\n\\r\\n' >&3; tail -1 <&3"
        )
    };
    assert_eq!(sh(&main, &fetch("web")).await, "found");
    assert_eq!(sh_in(&closed, "other", &fetch("www")).await, "found");
    assert_ne!(sh_in(&closed, "web", "getent hosts main").await, "");
    // Names of the world are not asked for, and that does not take long.
    let began = std::time::Instant::now();
    sh(&main, "! getent hosts example.com").await;
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    main.stop().await.unwrap();
    closed.stop().await.unwrap();

    // The door is there: with the Internet the host answers too.
    spec.open = true;
    let open = place.up(&spec).await;
    let seen = sh_in(&open, "other", &knock).await;
    assert!(seen.contains(".1 routed"), "{seen:?}");
    open.stop().await.unwrap();
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_projects_of_one_spec_live_side_by_side() {
    let Some(place) = Place::new().await else {
        return;
    };
    let spec = |token: &str| {
        let script = format!("echo {token} > /data/token; exec python3 -m http.server 8000");
        let mut spec = project(vec![service("db", &script)]);
        spec.services[0].workdir = Some("/data".into());
        spec
    };
    let (first, second) = (spec("first"), spec("second"));
    let (first, second) = tokio::join!(place.up(&first), place.up(&second));
    let (one, two) = tokio::join!(place.main(&first), place.main(&second));
    let ask = "for i in $(seq 100); do exec 3<>/dev/tcp/db/8000 && break; sleep 0.1; done 2>/dev/null; printf 'GET /token HTTP/1.0\r\n\r\n' >&3; tail -1 <&3; cat /data/token";
    assert_eq!(sh(&one, ask).await, "first\nfirst");
    assert_eq!(sh(&two, ask).await, "second\nsecond");
    drop((one, two, first, second));
    place.is_empty_soon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_main_takes_the_place_of_the_first_under_its_name() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut spec = project(vec![service("one", "sleep 1000")]);
    spec.networks.push(NetworkSpec {
        name: "more".into(),
        internal: true,
    });
    spec.main
        .networks
        .push(("more".into(), vec!["also".into()]));
    spec.services[0].networks.push(("more".into(), Vec::new()));
    let project = place.up(&spec).await;
    let first = place.main(&project).await;
    sh(&first, "echo kept > /data/file").await;
    assert_eq!(sh(&first, "ls /sys/class/net").await, "eth0\neth1\nlo");
    let names = "getent ahostsv4 main | sort -u | wc -l; getent ahostsv4 also | sort -u | wc -l";
    let before = sh_in(&project, "one", names).await;

    first.detach().await.unwrap();
    assert_eq!(sh(&first, "ls /sys/class/net").await, "lo");
    let second = place.main(&project).await;
    assert_eq!(sh(&second, "cat /data/file").await, "kept");
    assert_eq!(sh_in(&project, "one", names).await, before);
    let talk = "(python3 -c 'import socket; s = socket.create_server((\"\", 9000)); c, _ = s.accept(); c.send(b\"second\")' > /dev/null 2>&1 &)";
    sh(&second, talk).await;
    let hear = "for i in $(seq 100); do exec 3<>/dev/tcp/main/9000 && break; sleep 0.1; done 2>/dev/null; cat <&3";
    assert_eq!(sh_in(&project, "one", hear).await, "second");
    first.detach().await.unwrap();
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    project.stop().await.unwrap();
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_networks_do_not_use_up_what_subnets_the_engine_has() {
    let Some(place) = Place::new().await else {
        return;
    };
    let mut spec = project(Vec::new());
    for number in 0..33 {
        spec.networks.push(NetworkSpec {
            name: format!("more{number}"),
            internal: false,
        });
    }
    let project = place.up(&spec).await;
    assert_eq!(place.left().await.len(), 35);
    project.stop().await.unwrap();
    place.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_an_open_project_have_the_host_s_bundle_and_others_do_not() {
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), "certificates").unwrap();
    let path = bundle.path().to_owned();
    let lend = |settings: &mut proofyard::config::Settings| settings.host.ca_bundle = Some(path);
    let Some(place) = Place::with(lend).await else {
        return;
    };
    let mut spec = project(vec![service("one", "sleep 1000")]);
    spec.open = true;
    let open = place.up(&spec).await;
    let said = sh_in(&open, "one", "cat $SSL_CERT_FILE").await;
    assert_eq!(said, "certificates");
    spec.open = false;
    let closed = place.up(&spec).await;
    assert_eq!(sh_in(&closed, "one", "echo $SSL_CERT_FILE").await, "");
    drop((open, closed));
    place.is_empty_soon().await;
}
