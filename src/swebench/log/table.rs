//! The parsers by their names, and the projects of each.
//!
//! Must not know how a parser reads.

use super::{Input, Raised, Statuses};
use super::{c, django, doctest, go, java, javascript, php, python, ruby, rust, sympy};

type Read = fn(&Input<'_>, &mut Statuses) -> Result<(), Raised>;

/// A parser.
pub struct Function {
    pub name: &'static str,
    /// Names that stand for the same.
    pub other_names: &'static [&'static str],
    /// Whether 4.1 has it too.
    pub in_4_1: bool,
    /// The projects whose logs it reads, in all versions that have it.
    pub repos: &'static [&'static str],
    pub read: Read,
}

const fn of_both(name: &'static str, read: Read, repos: &'static [&'static str]) -> Function {
    Function {
        name,
        other_names: &[],
        in_4_1: true,
        repos,
        read,
    }
}

const fn of_5_0(name: &'static str, read: Read, repos: &'static [&'static str]) -> Function {
    Function {
        in_4_1: false,
        ..of_both(name, read, repos)
    }
}

impl Function {
    const fn also(self, other_names: &'static [&'static str]) -> Self {
        Self {
            other_names,
            ..self
        }
    }
}

/// All parsers. Three projects of 5.0 (cypress, emotion, plotly.js) have functions that no
/// name of its registry leads to; these are left out.
pub static FUNCTIONS: &[Function] = &[
    of_both(
        "parse_log_matplotlib",
        python::matplotlib,
        &["matplotlib/matplotlib"],
    ),
    of_both(
        "parse_log_pytest",
        python::pytest,
        &[
            "marshmallow-code/marshmallow",
            "pallets/flask",
            "pvlib/pvlib-python",
            "pydata/xarray",
            "pylint-dev/astroid",
            "pytest-dev/pytest",
            "pyvista/pyvista",
            "sqlfluff/sqlfluff",
        ],
    )
    .also(&[
        "parse_log_astroid",
        "parse_log_flask",
        "parse_log_marshmallow",
        "parse_log_pvlib",
        "parse_log_pyvista",
        "parse_log_sqlfluff",
        "parse_log_xarray",
    ]),
    of_both(
        "parse_log_pytest_options",
        python::pytest_options,
        &["psf/requests", "pydicom/pydicom", "pylint-dev/pylint"],
    )
    .also(&[
        "parse_log_pydicom",
        "parse_log_pylint",
        "parse_log_requests",
    ]),
    of_both(
        "parse_log_pytest_v2",
        python::pytest_v2,
        &[
            "astropy/astropy",
            "scikit-learn/scikit-learn",
            "sphinx-doc/sphinx",
        ],
    )
    .also(&["parse_log_astropy", "parse_log_scikit", "parse_log_sphinx"]),
    of_both("parse_log_seaborn", python::seaborn, &["mwaskom/seaborn"]),
    of_both("parse_log_django", django::read, &["django/django"]),
    of_both("parse_log_sympy", sympy::read, &["sympy/sympy"]),
    of_5_0(
        "parse_log_bpmn_js",
        javascript::bpmn_js,
        &["bpmn-io/bpmn-js"],
    ),
    of_both(
        "parse_log_calypso",
        javascript::calypso,
        &["Automattic/wp-calypso"],
    ),
    of_5_0(
        "parse_log_carbon",
        javascript::carbon,
        &[
            "carbon-design-system/carbon",
            "prettier/prettier",
            "scratchfoundation/scratch-gui",
        ],
    ),
    of_both(
        "parse_log_chart_js",
        javascript::chart_js,
        &["chartjs/Chart.js"],
    ),
    of_5_0("parse_log_eslint", javascript::eslint, &["eslint/eslint"]),
    of_5_0(
        "parse_log_grommet",
        javascript::grommet,
        &["grommet/grommet"],
    ),
    of_5_0(
        "parse_log_highlightjs",
        javascript::highlightjs,
        &["highlightjs/highlight.js"],
    ),
    of_both(
        "parse_log_immutable_js",
        javascript::immutable_js,
        &["immutable-js/immutable-js"],
    ),
    of_both(
        "parse_log_jest",
        javascript::jest,
        &["babel/babel", "facebook/docusaurus"],
    ),
    of_both("parse_log_jest_json", javascript::jest_json, &[]),
    of_both("parse_log_karma", javascript::karma, &["preactjs/preact"]),
    of_5_0(
        "parse_log_lighthouse",
        javascript::lighthouse,
        &["GoogleChrome/lighthouse"],
    ),
    of_both("parse_log_marked", javascript::marked, &["markedjs/marked"]),
    of_5_0("parse_log_next", javascript::next, &["alibaba-fusion/next"]),
    of_5_0(
        "parse_log_openlayers",
        javascript::openlayers,
        &["openlayers/openlayers"],
    ),
    of_both("parse_log_p5js", javascript::p5js, &["processing/p5.js"]),
    of_5_0("parse_log_prismjs", javascript::prismjs, &["PrismJS/prism"]),
    of_5_0(
        "parse_log_quarto_cli",
        javascript::quarto_cli,
        &["quarto-dev/quarto-cli"],
    ),
    of_both(
        "parse_log_react_pdf",
        javascript::carbon,
        &["diegomura/react-pdf"],
    ),
    of_both(
        "parse_log_tap",
        javascript::tap,
        &["axios/axios", "mrdoob/three.js"],
    ),
    of_both("parse_log_vitest", javascript::vitest, &["vuejs/core"]),
    of_both("parse_log_googletest", c::googletest, &["fmtlib/fmt"]),
    of_both("parse_log_jq", c::jq, &["jqlang/jq"]),
    of_both(
        "parse_log_micropython_test",
        c::micropython,
        &["micropython/micropython"],
    ),
    of_both(
        "parse_log_redis",
        c::redis,
        &["redis/redis", "valkey-io/valkey"],
    ),
    of_both("parse_log_doctest", doctest::read, &["nlohmann/json"]),
    of_both(
        "parse_log_gotest",
        go::read,
        &[
            "caddyserver/caddy",
            "gin-gonic/gin",
            "gohugoio/hugo",
            "hashicorp/terraform",
            "prometheus/prometheus",
        ],
    ),
    of_both("parse_log_ant", java::ant, &["projectlombok/lombok"]),
    of_both(
        "parse_log_gradle_custom",
        java::gradle,
        &["apache/lucene", "reactivex/rxjava"],
    ),
    of_both(
        "parse_log_maven",
        java::maven,
        &["apache/druid", "google/gson", "javaparser/javaparser"],
    ),
    of_both(
        "parse_log_phpunit",
        php::read,
        &[
            "briannesbitt/carbon",
            "laravel/framework",
            "php-cs-fixer/php-cs-fixer",
            "phpoffice/phpspreadsheet",
        ],
    ),
    of_both("parse_log_cucumber", ruby::cucumber, &[]),
    of_both("parse_log_jekyll", ruby::jekyll, &["jekyll/jekyll"]),
    of_both("parse_log_minitest", ruby::minitest, &[]),
    of_both(
        "parse_log_rspec_transformed_json",
        ruby::rspec,
        &["fastlane/fastlane", "jordansissel/fpm", "rubocop/rubocop"],
    ),
    of_both(
        "parse_log_ruby_unit",
        ruby::ruby_unit,
        &["faker-ruby/faker", "fluent/fluentd"],
    ),
    of_both(
        "parse_log_cargo",
        rust::read,
        &[
            "astral-sh/ruff",
            "burntsushi/ripgrep",
            "nushell/nushell",
            "sharkdp/bat",
            "tokio-rs/axum",
            "tokio-rs/tokio",
            "uutils/coreutils",
        ],
    ),
];
