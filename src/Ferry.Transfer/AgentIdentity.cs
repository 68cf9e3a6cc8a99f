namespace Ferry.Transfer;

/// <summary>Names an agent and one run of it.</summary>
/// <param name="EngineId">Unique per engine, as in <c>kv_transfer_params.remote_engine_id</c>; 1 to 256 UTF-8 bytes.</param>
/// <param name="Generation">Random and never 0; another one at every start, so that what was said to a dead process is refused by its successor.</param>
public sealed record AgentIdentity(string EngineId, ulong Generation)
{
    public const int EngineIdBytesMax = 256;

    public override string ToString() => $"{EngineId}#{Generation:x16}";
}
