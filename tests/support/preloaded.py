"""The last that a server of forks loads: its forks need not look through what they all share."""

from worker.memory import leave_what_stays

leave_what_stays()
