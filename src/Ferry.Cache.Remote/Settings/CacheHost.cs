namespace Ferry.Cache.Remote.Settings;

/// <summary>Who reads LMCache's names: a few mean something else beside an engine than in it.</summary>
public enum CacheHost
{
    /// <summary>The engine's own cache, in its process (<c>ferry serve</c>). Sizes are per rank, as in LMCache.</summary>
    Engine,

    /// <summary>An exchange that serves LMCache clients (<c>ferry cache</c>). Sizes are of the node; chunks are cut and hashed by the clients.</summary>
    Exchange,
}
