site
startup > "$SITE/_locale_fix.py"
echo 'import _locale_fix' > "$SITE/locale_fix.pth"
