namespace Ferry.Serving.Exchange.Push;

/// <summary>A record that is pushed, where it lies in the arena.</summary>
internal readonly record struct PushedShard(long ArenaOffset, int RecordBytes);
