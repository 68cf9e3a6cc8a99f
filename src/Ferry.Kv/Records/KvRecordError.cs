namespace Ferry.Kv.Records;

/// <summary>Which check a record failed, in the order in which they are made.</summary>
public enum KvRecordError
{
    None = 0,

    /// <summary>Fewer bytes than a header has.</summary>
    Truncated = 1,

    /// <summary>The first eight bytes are not <see cref="KvRecord.Magic"/>: this is no record.</summary>
    Magic = 2,

    /// <summary>A version that this build does not read.</summary>
    Version = 3,

    /// <summary>The header length is not this version's.</summary>
    HeaderLength = 4,

    /// <summary>The header's bytes are not those that were written.</summary>
    HeaderChecksum = 5,

    /// <summary>The header is whole, but its layout means nothing here (an unknown number, or a contradiction).</summary>
    Layout = 6,

    /// <summary>The token span reaches past the highest position.</summary>
    TokenSpan = 7,

    /// <summary>The payload length is not the layout's.</summary>
    PayloadLength = 8,

    /// <summary>The hash has no bytes, too many, or bytes after its end.</summary>
    Hash = 9,

    /// <summary>The salt is too long, not UTF-8, or has bytes after its end.</summary>
    Salt = 10,

    /// <summary>A byte that this version leaves zero is not.</summary>
    Reserved = 11,

    /// <summary>Only by <see cref="KvRecord.TryRead"/>: fewer or more payload bytes are there than the header says.</summary>
    PayloadTruncated = 12,

    /// <summary>Only by <see cref="KvRecord.TryRead"/>: the payload's bytes are not those that were written.</summary>
    PayloadChecksum = 13,

    /// <summary>The client's key or note is longer than its field, or has bytes after its end.</summary>
    ClientKey = 14,
}
