namespace Ferry.Kv.Hashing;

/// <summary>What LMCache and vLLM hash besides parent and tokens: the shape of the Python tuple, which changed between versions.</summary>
internal enum ChainForm
{
    /// <summary><c>(parent, tokens, ())</c>: LMCache of 2026-04, as recorded.</summary>
    EmptyTuple,

    /// <summary><c>(parent, tokens, None)</c>: LMCache's MP daemon, LMCache until 0.3.13, and vLLM's blocks without extra keys.</summary>
    Null,

    /// <summary><c>(parent, tokens)</c>: LMCache after its change of 2026-02 where it has two elements.</summary>
    Pair,
}
