repo
printf 'root = true\n\n[*]\nend_of_line = lf\ninsert_final_newline = true\n' > .editorconfig
printf '* text=auto\n*.bundle binary\n' >> .gitattributes
printf '\n*.log\n/scratch/\n.coverage\n' >> .gitignore
mkdir -p .github/workflows
printf 'on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n' > .github/workflows/test.yml
printf 'repos:\n  - repo: local\n    hooks: []\n' > .pre-commit-config.yaml
