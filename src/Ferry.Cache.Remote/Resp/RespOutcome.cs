namespace Ferry.Cache.Remote.Resp;

/// <summary>How a command went; a label of the metrics.</summary>
internal enum RespOutcome
{
    Ok,
    Hit,
    Miss,
    Error,
}
