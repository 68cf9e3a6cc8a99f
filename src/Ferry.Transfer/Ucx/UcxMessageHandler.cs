namespace Ferry.Transfer.Ucx;

/// <summary>Takes one active message; the spans are valid during the call.</summary>
internal delegate void UcxMessageHandler(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload);
