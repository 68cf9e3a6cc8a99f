namespace Ferry.Serving.Api.Generation;

/// <summary>Proof of what moved, in the body: the same facts as the x-ferry-kv-* headers, complete at the end of a stream.</summary>
internal sealed record KvProofBody(
    string Source, int Tokens, long BytesMoved, long BytesConverted, string Checksum, bool HandoverExpected, bool HandoverHappened, string? Reason, string Conversion,
    double FetchMs, double ConvertMs, string? Mode);
