"""What all the loads of the benchmark send: one text, one token."""

TEXT = "See you at the station at five, the train leaves at ten past; bring the tickets and something to read. 🚆"
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "x" * 640 + ".signature"  # as long as Supabase's
CHAT = "0f5f2a3e-7d0c-4b0e-8a83-0b8d3a4f6c21"
PERSON = "c0a80101-3b63-4b2c-9a67-6b2f8f2f3a22"

JOIN = [
    "1",
    "1",
    f"realtime:chat:{CHAT}",
    "phx_join",
    {
        "config": {
            "broadcast": {"ack": False, "self": False},
            "presence": {"key": "", "enabled": False},
            "postgres_changes": [
                {"event": "*", "schema": "public", "table": "chat_messages", "filter": f"chat_id=eq.{CHAT}"}
            ],
            "private": False,
        },
        "access_token": TOKEN,
    },
]
