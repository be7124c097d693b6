"""A kiosk written with a public MQTT client: publishes one declaration twice, as a kiosk does that
did not hear the answer, and prints each answer of the recorder.

    declare.py PORT SITE/LANE DEVICE EVENT
"""

import json
import sys
import time

import paho.mqtt.client as mqtt

port, station, device, event = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
base = f"tidewaiter/v1/{station}/device/{device}"
declaration = {
    "type": "declaration_made",
    "reference": "KIOSK-1",
    "form": "generic",
    "items": [{"kind": "currency", "currency": "USD", "amount": "500"}],
    "owner": "self",
    "recipient": "self",
    "provenance": ["labour"],
    "intended_use": ["personal"],
    "signed_at": "2018-11-16T03:20:00Z",
}
answers = []


def connected(client, *_):
    client.subscribe(f"{base}/recorded", qos=1)


def subscribed(client, *_):
    client.publish(f"{base}/event", json.dumps({"id": event, "body": declaration}), qos=1)


def answered(client, _, message):
    answers.append(json.loads(message.payload))
    print(json.dumps(answers[-1]), flush=True)
    if len(answers) == 1:
        subscribed(client)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, answered
client.connect("127.0.0.1", port)
client.loop_start()
deadline = time.monotonic() + 15
while len(answers) < 2 and time.monotonic() < deadline:
    time.sleep(0.05)
client.loop_stop()
sys.exit(0 if len(answers) == 2 else "no answer on " + base + "/recorded")
