namespace Ferry.Cluster.Planning;

/// <summary>A transfer on a link that others use.</summary>
/// <param name="Flows">Transfers that are on the link on average.</param>
/// <param name="Utilization">Of the link at that number.</param>
public sealed record SharedLinkFigures(int Flows, double Utilization, double MedianSeconds, double TailSeconds);
