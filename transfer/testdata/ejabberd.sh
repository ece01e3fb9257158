#!/bin/bash
# ejabberd.sh DIR: runs Debian's ejabberd on loopback, fills it, exports to DIR. As root.
set -eu
here=$(dirname "$(realpath "$0")"); out=$(realpath "$1"); tmp=$(mktemp -d)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $tmp/key.pem -out $tmp/cert.pem -days 1 -subj /CN=capulet.example 2>/dev/null
cat $tmp/cert.pem $tmp/key.pem > $tmp/both.pem
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
cat > $tmp/ejabberd.yml <<Y
loglevel: error
hosts: [capulet.example]
certfiles: ["$tmp/both.pem"]
listen:
  - {port: $port, ip: "127.0.0.1", module: ejabberd_c2s, access: all, starttls_required: true}
auth_method: [internal]
auth_password_format: scram
acl: {local: {user_regexp: ""}}
access_rules: {local: {allow: local}}
modules:
  mod_adhoc: {}
  mod_blocking: {}
  mod_caps: {}
  mod_disco: {}
  mod_mam: {default: always}
  mod_offline: {}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub: {access_createnode: local, plugins: [flat, pep]}
  mod_roster: {}
  mod_vcard: {search: false}
Y
mkdir $tmp/mnesia $tmp/out; chown -R ejabberd $tmp; chmod 711 $tmp
mkfifo $tmp/go; chown ejabberd $tmp/go
EJABBERD_CONFIG_PATH=$tmp/ejabberd.yml EJABBERD_LOG_PATH=$tmp/log ERL_LIBS=/usr/lib/x86_64-linux-gnu setpriv --reuid ejabberd --clear-groups \
 erl -noinput -mnesia dir "\"$tmp/mnesia\"" -s ejabberd -eval "
 W = fun(W) -> case catch ejabberd_auth:try_register(<<\"juliet\">>, <<\"capulet.example\">>, <<\"wherefore\">>) of ok -> ok; _ -> timer:sleep(200), W(W) end end, W(W),
 [ok = ejabberd_auth:try_register(U, <<\"capulet.example\">>, <<\"wherefore\">>) || U <- [<<\"romeo\">>, <<\"nurse\">>]],
 {ok, F} = file:open(\"$tmp/go\", [write, raw]), file:write(F, \"ready\n\"), file:close(F),
 D = fun(D) -> case filelib:is_regular(\"$tmp/filled\") of true -> ok; false -> timer:sleep(200), D(D) end end, D(D),
 R = ejabberd_piefxis:export_server(\"$tmp/out\"), io:format(\"~p~n\", [R]), init:stop()." > $tmp/erl.log 2>&1 &
pid=$!
read -t 60 _ < $tmp/go
/usr/bin/python3 $here/fill.py $port
touch $tmp/filled; wait $pid || true
cat $tmp/erl.log
cp $tmp/out/*.xml "$out"/; rm -rf $tmp
