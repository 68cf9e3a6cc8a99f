namespace Ferry.Cache.Records;

/// <summary>Why a pin ended.</summary>
public enum PinEnd
{
    Released,

    /// <summary>Its time ran out.</summary>
    Expired,

    /// <summary>The store was closed.</summary>
    Closed,
}
