namespace Ferry.Cluster.Planning;

/// <summary>Nothing can be planned: what is missing, and where to say it.</summary>
public sealed class PlanException(string message) : Exception(message);
