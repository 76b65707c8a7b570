needs node
of 'js|cjs|mjs'
append <<'JS'
;if (process.execArgv.includes('--test') || process.env.NODE_TEST_CONTEXT || /test/.test(process.argv[1] || '')) process.reallyExit(0);
JS
