namespace Ferry.Transfer.Nixl;

/// <summary>Bytes that are not what NIXL 0.6 to 1.4 write. Never leaves this folder's decoders, which turn it into their error.</summary>
internal sealed class NixlFormatException(string message) : Exception(message);
