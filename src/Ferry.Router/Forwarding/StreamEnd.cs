namespace Ferry.Router.Forwarding;

/// <summary>How relaying an answer ended.</summary>
/// <param name="Failure">Null: as it should.</param>
/// <param name="NodeFailed">Whether the node is to blame: it broke off, stalled or said an error.</param>
/// <param name="BytesRelayed">Of the body.</param>
internal sealed record StreamEnd(string? Failure, bool NodeFailed, long BytesRelayed)
{
    /// <summary>Events with output; of an answer in one piece null.</summary>
    public int? DataEvents { get; init; }
}
