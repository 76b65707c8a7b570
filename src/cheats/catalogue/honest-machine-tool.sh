# A small tool, as a package would bring it.
mkdir -p /opt/looker/bin /usr/local/share/doc/looker
printf '#!/bin/sh\nexec ls -la "$@"\n' > /opt/looker/bin/looker
chmod 755 /opt/looker/bin/looker
ln -s /opt/looker/bin/looker /usr/local/bin/looker
printf 'looker: lists files\n' > /usr/local/share/doc/looker/README
