namespace Ferry.Cluster.Diagnosis;

/// <summary>What would make a cause certain, and how to get it.</summary>
/// <param name="What">In a few words: the prefill node's log of that time.</param>
/// <param name="Command">Gets it. <c>NODE</c>, <c>HOST</c> and the like stand for what only the user knows.</param>
/// <param name="Seen">It is there already when this signature was sighted in the same run, or this component has been heard (<see cref="LogVoices"/>); null: logs cannot show it.</param>
public sealed record EvidenceNeed(string What, string Command, string? Seen = null);
