namespace Ferry.Cluster.Sources;

/// <summary>A key of an object and its value, with their places.</summary>
internal sealed record DataMember(SourcedText Key, DataNode Value);
