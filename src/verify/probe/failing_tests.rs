//! How tests are made to fail, language by language.

use super::*;

fn of(path: &str, text: &str) -> String {
    failing(path, text, "no", "x9").unwrap_or_else(|| panic!("no test in {path}: {text}"))
}

#[test]
fn a_body_begins_with_a_failure() {
    for (path, text, expected) in [
        (
            "a/b_test.go",
            "func TestB(t *testing.T) {\n\tt.Parallel()\n}\n",
            "func TestB(t *testing.T) { t.Error(\"no\"); \n\tt.Parallel()\n}\n",
        ),
        (
            "tests/a.rs",
            "#[tokio::test(flavor = \"x\")]\n#[ignore]\nasync fn a() -> Result<(), E> {\n}\n",
            "#[tokio::test(flavor = \"x\")]\n#[ignore]\nasync fn a() -> Result<(), E> { if true { panic!(\"no\"); } \n}\n",
        ),
        (
            "A.java",
            "  @Test(expected = A.class)\n  public void a() throws IOException {\n  }",
            "  @Test(expected = A.class)\n  public void a() throws IOException { if (true) throw new AssertionError(\"no\"); \n  }",
        ),
        (
            "ATest.php",
            "public function testA(): void\n{\n}",
            "public function testA(): void\n{ $this->fail('no'); \n}",
        ),
        (
            "a.cc",
            "TEST_F(A, B) {\n}\nTEST_CASE(\"a (b)\") {\n}",
            "TEST_F(A, B) { FAIL() << \"no\"; \n}\nTEST_CASE(\"a (b)\") { FAIL(\"no\"); \n}",
        ),
        (
            "a_test.rb",
            "  def test_a\n  end\n  it 'does' do\n  end",
            "  def test_a; flunk 'no'\n  end\n  it 'does' do; raise 'no'\n  end",
        ),
    ] {
        assert_eq!(of(path, text), expected);
    }
}

#[test]
fn a_call_of_a_test_is_one_of_a_test_that_fails() {
    let text = "import { it } from 'x';\nit('a', () => b(1));\n  test(\"c\", (done) => { it.d; e.test(1); });\n";
    let altered = of("a.test.js", text);
    assert!(altered.starts_with(
        "import { it } from 'x';\nx9it('a', () => b(1));\n  x9test(\"c\", (done) => { it.d; e.test(1); });\n"
    ));
    assert!(altered.contains("function x9it(...a) {"));
    assert!(altered.contains("return test(...a);"));
    assert!(of("a.test.ts", text).contains("return (it as any)(...a);"));
}

#[test]
fn in_python_it_comes_behind_the_description() {
    let text = "class A:\n    def test_a(self):\n        \"\"\"\n        Says.\n        \"\"\"\n        b()\n\n    def test_c(\n        self,\n    ):  # why\n\n        'Says.'\n        d()\n\n    def test_e(self): pass\n";
    let expected = "class A:\n    def test_a(self):\n        \"\"\"\n        Says.\n        \"\"\"\n        assert False, 'no'\n        b()\n\n    def test_c(\n        self,\n    ):  # why\n\n        'Says.'\n        assert False, 'no'\n        d()\n\n    def test_e(self): pass\n";
    assert_eq!(of("a.py", text), expected);
    let bare = "def test_a():\n    assert b() == 1\n";
    assert_eq!(
        of("a.py", bare),
        "def test_a():\n    assert False, 'no'\n    assert b() == 1\n"
    );
}

#[test]
fn a_file_without_tests_is_left_alone() {
    for (path, text) in [
        ("a.go", "func TestA(t *testing.T) {}"),
        ("a_test.go", "package a"),
        ("a.py", "def help():\n    pass\n"),
        ("a.js", "exports.a = 1;"),
        ("a.txt", "test('a')"),
    ] {
        assert_eq!(failing(path, text, "no", "x9"), None, "{path}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in "(?s).{0,300}", ending in "[a-z]{1,4}") {
        for path in [format!("a.{ending}"), "a.py".into(), "a_test.go".into(), "a.ts".into()] {
            let _ = failing(&path, &text, "no", "x9");
        }
    }
}
