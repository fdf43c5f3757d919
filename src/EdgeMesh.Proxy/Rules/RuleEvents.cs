using System.Text;

namespace EdgeMesh.Proxy.Rules;

/// <summary>
/// Reads the kernel's nftables notifications (linux/netfilter/nf_tables.h) and counts the commits that changed our table.
/// A commit is told as its changes and then NEWGEN. Pure.
/// <para>Message: length (4), type (2), flags (2), sequence (4), port (4), family (1), version (1), resource (2), attributes;
/// attribute: length (2), type (2), value, padded to 4. Headers in the machine's byte order, values big-endian.</para>
/// </summary>
internal sealed class RuleEvents
{
    private const int Subsystem = 10;
    private const int NewGeneration = 15;
    private const int NameAttribute = 1;

    private static readonly byte[] TableName = Encoding.ASCII.GetBytes(RuleText.TableName + "\0");

    private bool touched;

    /// <param name="messages">One read of the netlink socket.</param>
    /// <returns>Number of commits that changed table edgemesh.</returns>
    public int Read(ReadOnlySpan<byte> messages)
    {
        int commits = 0;
        while (messages.Length >= 20)
        {
            int length = BitConverter.ToInt32(messages);
            if (length < 20 || length > messages.Length)
            {
                break;
            }

            ushort type = BitConverter.ToUInt16(messages[4..]);
            ReadOnlySpan<byte> attributes = messages[20..length];
            if (type >> 8 == Subsystem)
            {
                if ((type & 0xff) == NewGeneration)
                {
                    commits += touched ? 1 : 0;
                    touched = false;
                }
                else if (TryFind(attributes, NameAttribute, out ReadOnlySpan<byte> name) && name.SequenceEqual(TableName))
                {
                    // The first attribute of every other message is the table's name.
                    touched = true;
                }
            }

            int next = (length + 3) & ~3;
            messages = next >= messages.Length ? default : messages[next..];
        }

        return commits;
    }

    private static bool TryFind(ReadOnlySpan<byte> attributes, int wanted, out ReadOnlySpan<byte> value)
    {
        while (attributes.Length >= 4)
        {
            int length = BitConverter.ToUInt16(attributes);
            if (length < 4 || length > attributes.Length)
            {
                break;
            }

            if ((BitConverter.ToUInt16(attributes[2..]) & 0x3fff) == wanted)
            {
                value = attributes[4..length];
                return true;
            }

            int next = (length + 3) & ~3;
            attributes = next >= attributes.Length ? default : attributes[next..];
        }

        value = default;
        return false;
    }
}
