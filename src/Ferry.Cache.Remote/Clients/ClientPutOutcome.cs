namespace Ferry.Cache.Remote.Clients;

public enum ClientPutOutcome
{
    /// <summary>There is room: fill it.</summary>
    Ready,

    /// <summary>The same value is there, or on its way: read past the bytes and answer as if they had been stored.</summary>
    Present,

    /// <summary>The key is empty or longer than <see cref="Kv.Records.KvRecord.MaxClientKeyBytes"/>.</summary>
    BadKey,

    /// <summary>Longer than a record may be, or than the whole memory tier.</summary>
    TooLarge,

    /// <summary>No room now: everything is leased or pinned.</summary>
    Full,

    /// <summary>The quota of the key's tenant is used up.</summary>
    OverQuota,

    /// <summary>The length is not that of the layout which the key names: somebody's configuration is wrong.</summary>
    WrongLength,
}
