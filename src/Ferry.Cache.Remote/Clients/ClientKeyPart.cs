namespace Ferry.Cache.Remote.Clients;

/// <summary>Which part of a record a client's key asks for.</summary>
internal enum ClientKeyPart
{
    /// <summary>The value under its own key.</summary>
    Whole,

    /// <summary><c>KEYkv_bytes</c> of LMCache's <c>redis://</c>: the value of a pair.</summary>
    PairValue,

    /// <summary><c>KEYmetadata</c>: the note of a pair.</summary>
    PairNote,
}
