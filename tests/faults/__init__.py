"""The fault harness: real workers, real brokers, planned faults, and an oracle that knows what must come out.

How a run can be compared byte for byte, although decisions depend on time and order:

* **Wall clock.** Timers fire by the wall clock while all inputs are idle (O1), and a replay knows none. So events lie
  in the *future*: within the clock skew that the workers are told to accept (a day), and later than the run can last.
  No deadline is ever due by the wall clock. Each shop's last event is a marker at the same instant, the end of the
  traffic, which fires what is due until then; so the replay's own firing of timers at its end finds nothing to do.
* **Order across topics.** A topic that is read to its end is not waited for (O2), so what is published to two topics of
  a partition within milliseconds may be applied in the wrong order and be late (O3): right live, and not what a replay
  says. Two ways of feeding exclude it. A *backlog* is published whole before the first worker starts: every topic has
  something left until it is done, so the merge is the replay's, however often workers and brokers fail in between.
  *Live* feeding goes in waves: in one wave every shop has events of one topic only, and the next wave of a partition
  is sent when the group's committed offsets say that the one before was routed. Decisions are compared shop by shop.

So whatever differs is a defect: of the lane, of the broker, or of this harness.
"""
