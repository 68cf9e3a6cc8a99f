using Ferry.Serving.Options;

namespace Ferry.Serving;

/// <summary>What the exchange did for one request.</summary>
public sealed record KvRequestReport
{
    /// <summary>Where the loaded KV came from: "none", or tiers joined by '+', for example "peer", "memory", "directory", "peer+directory".</summary>
    public string Source { get; init; } = "none";

    /// <summary>Prompt tokens whose KV was loaded.</summary>
    public int Tokens { get; init; }

    /// <summary>The peer that was asked (its engine id); null when none was.</summary>
    public string? Peer { get; init; }

    /// <summary>How the prefill node handed over what came from it; null when nothing did.</summary>
    public HandoverMode? Mode { get; init; }

    /// <summary>Of <see cref="BytesMoved"/>, what came from the prefill node.</summary>
    public long HandoverBytes { get; init; }

    /// <summary>Payload bytes that came from another node or tier. What this node's own memory held did not move.</summary>
    public long BytesMoved { get; init; }

    /// <summary>Payload bytes that were rewritten into this node's layout, wherever they came from.</summary>
    public long BytesConverted { get; init; }

    public KvChecksumState Checksum { get; init; }

    /// <summary>Records whose checksum was right.</summary>
    public int RecordsVerified { get; init; }

    /// <summary>Records that were damaged.</summary>
    public int RecordsDamaged { get; init; }

    /// <summary>Reads that the peer refused because a lease had ended.</summary>
    public int Nacks { get; init; }

    /// <summary>Bytes that this request's prefill put into the exchange.</summary>
    public long BytesSaved { get; init; }

    /// <summary>Connecting to the peer, its handshake, and asking it where the chunks lie.</summary>
    public TimeSpan HandshakeTime { get; init; }

    /// <summary>Bytes on their way from the peer.</summary>
    public TimeSpan TransferTime { get; init; }

    /// <summary>Proving checksums.</summary>
    public TimeSpan VerifyTime { get; init; }

    /// <summary>From the request until all KV was in this node's memory: handshake, transfer, tiers, and the proof of what came.</summary>
    public TimeSpan FetchTime { get; init; }

    /// <summary>Of <see cref="FetchTime"/>, what was not spent on proving checksums; that is done while later chunks are on their way, so it is never below zero.</summary>
    public TimeSpan MoveTime => FetchTime > VerifyTime ? FetchTime - VerifyTime : TimeSpan.Zero;

    public TimeSpan ConvertTime { get; init; }

    /// <summary>The source's shape and this node's, for people ("mi300x block 16 HND tp 4 -> gaudi3 block 128 NHD tp 2"); may be empty.</summary>
    public string Conversion { get; init; } = "";

    /// <summary>Why less than asked for was loaded ("lease expired", "peer unreachable"); null when all was.</summary>
    public string? Reason { get; init; }
}
