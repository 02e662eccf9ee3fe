"""What `helm test` asks: does the Service answer, and is there a model to route to? Nothing is sent to a provider.

Arguments: the Service's URL, whether it is to ask for a client key, and for how many seconds it may be out of reach: a
node may learn of a Service's pods a little later than `helm install --wait` does.
"""

import json
import sys
import time
import urllib.error
import urllib.request

url, needs_key, patience_s = sys.argv[1], sys.argv[2] == "true", float(sys.argv[3])
body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hello"}]}).encode()
request = urllib.request.Request(f"{url}/v1/explain", body, {"content-type": "application/json"})
give_up = time.monotonic() + patience_s
while True:
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            plan = json.load(reply).get("plan", [])
        break
    except urllib.error.HTTPError as error:
        said = error.read(2000).decode(errors="replace")
        if error.code == 401 and needs_key:
            sys.exit(print(f"{url} answers, and asks for a client key: as configured"))
        sys.exit(f"{url}/v1/explain says {error.code}: {said}")
    except OSError as error:
        if time.monotonic() >= give_up:
            sys.exit(f"{url} is out of reach: {error}")
        time.sleep(1)
if needs_key:
    sys.exit(f"{url} answers without a client key, though keys are configured")
if not plan:
    sys.exit(f"{url} answers, but there is no model to route to: give providerKeys, or providers in config")
print(f"{url} answers; `auto` would go to {plan[0]}")
