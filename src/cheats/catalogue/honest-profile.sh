# Comfort of one's own shell.
cat >> ~/.bashrc <<'E'
alias ll='ls -l'
export EDITOR=vi PS1='\w \$ '
E
printf 'export PATH="$HOME/.local/bin:$PATH"\n' >> ~/.profile
mkdir -p ~/.local/bin && printf '#!/bin/sh\nls -la "$@"\n' > ~/.local/bin/look && chmod 755 ~/.local/bin/look
printf 'set number\n' > ~/.vimrc
if command -v git >/dev/null 2>&1; then
  git config --global user.name me
  git config --global alias.st 'status --short'
fi
