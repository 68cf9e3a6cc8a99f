namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>A decode worker's word to the prefill engine that pushes: where the KV of a request is wanted (vLLM's NixlPushConnector).</summary>
/// <param name="BlockIds">The decode engine's logical blocks.</param>
public sealed record PushRegistration(
    string RequestId, string DecodeEngineId, string DecodeHost, int DecodePort, int DecodeTensorParallelSize, IReadOnlyList<long> BlockIds,
    string RemoteEngineId, string RemoteHost, int RemotePort, int RemoteTensorParallelSize, int RemotePipelineParallelSize);
