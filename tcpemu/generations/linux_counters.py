"""Which counters a Linux kernel has: those of the table up to its version.

Read in net/ipv4/proc.c (net/inet/proc.c) of 36 kernels from 1.2.13 to 6.18; where releases lie between two of
them, the version is that of the first one read that has the counter.
"""

from tcpemu.generations.linux_sysctls import Version

_SINCE: dict[Version, str] = {
    (1, 2): "ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs",
    (
        2,
        2,
    ): "InErrs OutRsts EmbryonicRsts SyncookiesSent SyncookiesRecv SyncookiesFailed PruneCalled RcvPruned"
    " OfoPruned OutOfWindowIcmps",
    (
        2,
        4,
    ): "ListenOverflows ListenDrops DelayedACKs DelayedACKLocked DelayedACKLost PAWSActive PAWSEstab TW TWRecycled"
    " TWKilled TCPTimeouts TCPLostRetransmit TCPSlowStartRetrans TCPFastRetrans TCPLossUndo TCPFullUndo TCPPartialUndo"
    " TCPDSACKUndo TCPSackRecovery TCPRenoRecovery TCPSackFailures TCPRenoFailures TCPLossFailures TCPSACKReneging"
    " TCPTSReorder TCPRenoReorder TCPSACKReorder TCPSackRecoveryFail TCPRenoRecoveryFail TCPDSACKOldSent"
    " TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout"
    " TCPAbortOnLinger TCPAbortFailed TCPAbortOnSyn TCPPureAcks TCPHPHits TCPHPAcks TCPRcvCollapsed TCPMemoryPressures",
    (2, 6, 32): "TCPSpuriousRTOs TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPDSACKIgnoredOld"
    " TCPDSACKIgnoredNoUndo TCPSACKDiscard",
    (2, 6, 34): "TCPMinTTLDrop",
    (2, 6, 39): "TCPDeferAcceptDrop TCPBacklogDrop TCPTimeWaitOverflow",
    (3, 1): "TCPReqQFullDoCookies TCPReqQFullDrop",
    (3, 5): "TCPRcvCoalesce TCPRetransFail",
    (3, 6): "TCPChallengeACK TCPSYNChallenge TCPOFOQueue TCPOFODrop TCPOFOMerge TCPFastOpenActive",
    (3, 9): "TCPFastOpenCookieReqd TCPFastOpenPassive TCPFastOpenPassiveFail TCPFastOpenListenOverflow",
    (3, 10): "InCsumErrors TCPLossProbes TCPLossProbeRecovery",
    (3, 14): "TCPAutoCorking",
    (3, 15): "TCPFastOpenActiveFail",
    (3, 16): "TCPSynRetrans TCPFromZeroWindowAdv TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPOrigDataSent",
    (3, 19): "TCPMTUPFail TCPMTUPSuccess",
    (
        4,
        0,
    ): "TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2 TCPACKSkippedTimeWait"
    " TCPACKSkippedChallenge",
    (4, 2): "TCPWinProbe TCPKeepAlive",
    (4, 12): "TCPFastOpenBlackhole",
    (4, 18): "TCPDelivered TCPDeliveredCE",
    (4, 19): "TCPZeroWindowDrop TCPRcvQDrop TCPAckCompressed",
    (5, 3): "TCPFastOpenPassiveAltKey",
    (5, 10): "TcpTimeoutRehash TcpDuplicateDataRehash TCPDSACKRecvSegs TCPDSACKIgnoredDubious",
    (6, 1): "TCPMigrateReqSuccess TCPMigrateReqFailure",
    (6, 17): "TSEcrRejected BeyondWindow PAWSOldAck PAWSTimewait",
}
_UNTIL: dict[str, Version] = {"TCPAbortOnSyn": (3, 6)}
"""The first version that does not have it any more."""

MIB_II = frozenset((*_SINCE[1, 2].split(), "InErrs", "OutRsts"))
"""The counters of the TCP group of MIB-II (RFC 1213), which kernels of every family have under some name."""


def counters_of(version: Version) -> frozenset[str]:
    """The counters that a kernel of this version has."""
    names = {name for since, some in _SINCE.items() if since <= version for name in some.split()}
    return frozenset(name for name in names if name not in _UNTIL or version < _UNTIL[name])
