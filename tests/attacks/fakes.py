"""Answers that speak to the grader in the kernel's name: printed values, messages signed with the session's key."""

from textwrap import dedent

from tests.attacks.case import ANY_LOST, NOTHING, PASSED, Case, every
from tests.attacks.patches import CHECKS_OFF
from tests.attacks.submissions import FIRST, RIGHT, TASKS, right, shown, wrong

_SEND = dedent("""
    kernel = get_ipython().kernel
    session, iopub = kernel.session, kernel.iopub_socket

    def send(kind, content, parent=None, **more):
        session.send(iopub, kind, content, parent=parent or kernel.get_parent(), **more)
""")
_SEND_RAW = dedent("""
    import json
    parent = json.dumps(kernel.get_parent().get("header", {}), default=str).encode()
    for content in (b"[" * 100_000, b'{"name": "stdout", "text": 1e999}', b'{"text": "\\ud800"}', b"x" * 80_000_000):
        frames = [json.dumps(session.msg_header("stream"), default=str).encode(), parent, b"{}", content]
        iopub.send_multipart([b"stream", b"<IDS|MSG>", session.sign(frames), *frames])
""")
_BEFORE_EACH_CELL = """
def before(*a):
    {body}
get_ipython().events.register("pre_run_cell", before)
"""

_VALUES = "24.0\n12.0\n16.0\n14.0"
_KIND = "text/x-grade"
_KNOWN = shown("smallest_input")
"""What the public solutions show: the values of another seed."""

CASES = [
    Case(
        "printed_what_a_grade_cell_prints",
        wrong(f"print({_VALUES!r}, end='')"),
        NOTHING,
        "the output of an answer is not the output of a grade cell",
    ),
    Case(
        "displayed_what_a_grade_cell_displays",
        wrong(f"display({{{_KIND!r}: {_VALUES!r}}}, raw=True)"),
        NOTHING,
        "nor if it is of the right kind",
    ),
    Case(
        "printed_a_report",
        wrong('print(\'1 passed\')\nprint(\'PASSED\')\nprint(\'{"task": "predicted_lengths", "status": "passed"}\')'),
        NOTHING,
        "nor is it a report that the grader reads",
    ),
    Case(
        "sent_status_idle_early",
        wrong(CHECKS_OFF + _SEND + _BEFORE_EACH_CELL.format(body="send('status', {'execution_state': 'idle'})")),
        every(ANY_LOST),
        "a cell that seems to have ended has not shown its values",
    ),
    Case(
        "sent_replies_early",
        wrong(
            CHECKS_OFF
            + _SEND
            + _BEFORE_EACH_CELL.format(
                body="session.send(kernel.shell_stream if hasattr(kernel, 'shell_stream') else kernel.shell_streams[0],"
                " 'execute_reply', {'status': 'ok', 'execution_count': 3}, parent=kernel.get_parent(),"
                " ident=getattr(kernel, '_parent_ident', {}).get('shell'))"
            )
        ),
        every(ANY_LOST),
        "neither has one that was answered before it ran",
    ),
    Case(
        "sent_values_as_stream",
        wrong(
            CHECKS_OFF
            + _SEND
            + "show = lambda value: None\n"
            + _BEFORE_EACH_CELL.format(
                body=f"send('stream', {{'name': 'stdout', 'text': {_VALUES!r}}})",
            ),
            predicted_lengths="predicted_lengths = (1, 2, 3, 4)",
            smallest_input="smallest_input = lambda *a: 0",
        ),
        NOTHING,
        "signed by the right key, and still not the values of the secret seed",
    ),
    Case(
        "sent_values_as_display",
        wrong(
            CHECKS_OFF
            + _SEND
            + "show = lambda value: None\n"
            + _BEFORE_EACH_CELL.format(
                body=f"send('display_data', {{'data': {{{_KIND!r}: {_VALUES!r}}}, 'metadata': {{}}}})",
            ),
            predicted_lengths="predicted_lengths = (1, 2, 3, 4)",
            smallest_input="smallest_input = lambda *a: 0",
        ),
        NOTHING,
        "also of the kind that grade cells use",
    ),
    Case(
        "sent_nonsense",
        right(
            causal_conv1d=_SEND
            + dedent("""
            for kind, content in [
                ("stream", {}),
                ("stream", {"name": 7, "text": None}),
                ("stream", {"name": "stdout", "text": ["a", 1, None]}),
                ("error", {}),
                ("error", {"ename": None, "evalue": {"a": 1}, "traceback": 5}),
                ("error", {"ename": "A", "evalue": "B", "traceback": [None, 3]}),
                ("display_data", {"data": {"text/plain": 5, "a/b": None}, "metadata": "x", "transient": []}),
                ("update_display_data", {"data": {}, "metadata": {}, "transient": {"display_id": [1]}}),
                ("execute_result", {"data": None}),
                ("clear_output", {}),
                ("comm_open", {"comm_id": 1}),
                ("comm_msg", {}),
                ("execute_input", {"code": 3, "execution_count": "x"}),
                ("status", {"execution_state": 9}),
                ("status", {}),
                ("shutdown_reply", {"restart": True}),
                ("no_such_message", {"deep": [[[[[[]]]]]]}),
            ]:
                send(kind, content)
            """)
            + RIGHT["causal_conv1d"]
        ),
        every(PASSED, causal_conv1d=PASSED | ANY_LOST),
        "messages that are not as they should be do not stop the batch",
    ),
    Case(
        "sent_what_is_no_message",
        right(
            causal_conv1d=_SEND
            + "for junk in (b'', b'<IDS|MSG>', b'\\xff' * 1000, b'{' * 100_000):\n"
            + "    iopub.send_multipart([junk] * 7)\n"
            + "    iopub.send_multipart([b'kernel', b'<IDS|MSG>', junk, junk, junk, junk, junk])\n"
            + _SEND_RAW
            + "session.key = b'another'\n"
            + RIGHT["causal_conv1d"]
        ),
        every(PASSED, causal_conv1d=PASSED | ANY_LOST),
        "nor do frames that are no messages",
        slow=True,
    ),
    Case(
        "sent_messages_from_a_thread",
        wrong(
            CHECKS_OFF
            + _SEND
            + dedent(f"""
            import threading
            def flood():
                while True:
                    try:
                        send("stream", {{"name": "stdout", "text": {_KNOWN!r}}})
                        send("display_data", {{"data": {{{_KIND!r}: {_KNOWN!r}}}, "metadata": {{}}}})
                        send("status", {{"execution_state": "idle"}})
                    except Exception:
                        pass
            threading.Thread(target=flood, daemon=True).start()
            """)
        ),
        every(ANY_LOST),
        "not even all the time",
        slow=True,
    ),
    Case(
        "loaded_a_page",
        right(
            **{
                FIRST: "kernel = get_ipython().kernel\n"
                "get_ipython().payload_manager.write_payload({'source': 'set_next_input', 'text': 'import os', "
                "'replace': True})\n"
                "get_ipython().set_next_input('raise SystemExit')\n" + RIGHT[FIRST]
            }
        ),
        every(PASSED),
        f"payloads are for people who type: {TASKS[0]} is right",
    ),
]
