namespace Ferry.Router.Connectors;

/// <summary>Where a prefill node's push connector listens; from configuration, for legs that run at the same time.</summary>
/// <param name="Node">The prefill node that this is about.</param>
/// <param name="EngineId">Must be fixed in that node's kv_transfer_config.</param>
/// <param name="Host">Of its side channel.</param>
public sealed record PushTarget(Uri Node, string EngineId, string Host, int Port, int TensorParallelSize = 1, int PipelineParallelSize = 1);
