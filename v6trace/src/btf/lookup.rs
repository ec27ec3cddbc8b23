//! Answers questions about named types: where a member lies, how large a type
//! is, an enumerator's value, a function's parameters.

use super::{
    Btf, Member, MemberError,
    measure::{Place, malformed, within_reach},
    path::{self, Step},
    record::{Kind, RawMember, Record, words},
};

/// Unnamed structures within unnamed structures.
const MAX_NESTING: u32 = 32;

/// Members looked at for one path, so that types which multiply by nesting
/// cannot take forever. Kernels' largest structures have some hundreds.
const MAX_STEPS: u32 = 1 << 20;

impl Btf {
    /// Finds a member by its path, such as `net.core.sysctl_optmem_max`,
    /// `sk_buff.mac_header` or `foo.arr[3].x`: the name of a structure or union,
    /// then members, each with indices if it is an array. Unnamed structures
    /// are descended into; typedefs and qualifiers are looked through; pointers
    /// are not followed. The type's name alone gives the whole type at offset 0.
    ///
    /// Where several types bear the name, the first that resolves counts.
    ///
    /// # Errors
    /// [`MemberError::is_absent`] tells what this kernel lacks from a bad path
    /// or damaged BTF.
    pub fn member(&self, path: &str) -> Result<Member, MemberError> {
        let (type_name, steps) = path::split(path)?;
        let mut fuel = MAX_STEPS;
        let mut first_error = None;
        for record in self
            .named(type_name)
            .filter(|record| record.kind.is_composite())
        {
            spend(&mut fuel, record.id)?;
            match self.walk(record, &steps, &mut fuel) {
                Ok(member) => return Ok(member),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| MemberError::NoSuchType {
            name: type_name.to_owned(),
        }))
    }

    /// Size in bytes of a named structure, union or enum.
    ///
    /// # Errors
    /// [`MemberError::NoSuchType`] where this kernel has none of that name.
    pub fn size_of(&self, type_name: &str) -> Result<u32, MemberError> {
        self.named(type_name)
            .find(|record| record.kind != Kind::Func)
            .map(|record| record.size_or_type)
            .ok_or_else(|| MemberError::NoSuchType {
                name: type_name.to_owned(),
            })
    }

    /// The value of an enumerator, such as `SKB_DROP_REASON_IP_INADDRERRORS` of
    /// `skb_drop_reason`. An unsigned value above `i64::MAX` wraps.
    pub fn enum_value(&self, enum_name: &str, enumerator: &str) -> Option<i64> {
        self.named(enum_name).find_map(|record| {
            let size = match record.kind {
                Kind::Enum => 8,
                Kind::Enum64 => 12,
                _ => return None,
            };
            let [_, low, high] = record
                .elements(size)
                .map(words::<3>)
                .find(|[name_off, ..]| self.name_is(*name_off, enumerator))?;
            Some(match (record.kind, record.kind_flag()) {
                (Kind::Enum, true) => i64::from(low.cast_signed()),
                (Kind::Enum, false) => i64::from(low),
                _ => (u64::from(high) << 32 | u64::from(low)).cast_signed(),
            })
        })
    }

    /// Whether the kernel has a function of that name. It may be inlined or
    /// exist under a suffixed symbol only: the symbol table tells.
    pub fn has_function(&self, name: &str) -> bool {
        self.named(name).any(|record| record.kind == Kind::Func)
    }

    /// The number of the function of that name, if there is exactly one.
    pub fn function(&self, name: &str) -> Option<u32> {
        let mut found = self.named(name).filter(|record| record.kind == Kind::Func);
        let function = found.next()?;
        found.next().is_none().then_some(function.id)
    }

    /// Names of a function's parameters in order: empty for an unnamed one,
    /// `...` for variable arguments.
    pub fn function_params(&self, name: &str) -> Option<Vec<String>> {
        self.named(name)
            .filter(|record| record.kind == Kind::Func)
            .find_map(|function| {
                let prototype = self
                    .record(function.size_or_type)
                    .filter(|r| r.kind == Kind::FuncProto)?;
                let name_of = |element| match words::<2>(element) {
                    [0, 0] => "...".to_owned(),
                    [name_off, _] => self.name(name_off).unwrap_or_default().to_owned(),
                };
                Some(prototype.elements(8).map(name_of).collect())
            })
    }

    /// Indexed types of exactly this name, in the order of the file.
    fn named<'b>(&'b self, name: &'b str) -> impl Iterator<Item = Record<'b>> {
        self.names
            .candidates(name.as_bytes())
            .filter_map(|id| self.record(id))
            .filter(move |record| self.name_is(record.name_off, name))
    }

    fn walk(
        &self,
        outermost: Record<'_>,
        steps: &[Step<'_>],
        fuel: &mut u32,
    ) -> Result<Member, MemberError> {
        let mut place = Place {
            type_id: outermost.id,
            bits: 0,
            width: None,
            flagged: false,
        };
        let mut came_by = outermost.name_off;
        for step in steps {
            let parent = self.target(place.type_id)?;
            if parent.kind == Kind::Ptr {
                let pointer = self.name(came_by).unwrap_or_default().to_owned();
                return Err(MemberError::ThroughPointer { pointer });
            }
            let (name_off, found) = self
                .find(parent, step.member, place.bits, MAX_NESTING, fuel)?
                .ok_or_else(|| MemberError::NoSuchMember {
                    type_name: self.describe(parent),
                    member: step.member.to_owned(),
                })?;
            came_by = name_off;
            place = step.indices.iter().try_fold(found, |array, index| {
                self.element(array, step.member, *index)
            })?;
        }
        self.measure(place)
    }

    /// The member `name` of `parent`, also within unnamed members of it.
    fn find(
        &self,
        parent: Record<'_>,
        name: &str,
        base: u64,
        nesting: u32,
        fuel: &mut u32,
    ) -> Result<Option<(u32, Place)>, MemberError> {
        for member in parent.members() {
            spend(fuel, parent.id)?;
            let RawMember {
                name_off,
                type_id,
                bit_offset,
                bit_width,
            } = member;
            let bits = within_reach(parent.id, base + u64::from(bit_offset))?;
            if self.name_is(name_off, name) {
                let flagged = parent.kind_flag();
                return Ok(Some((
                    name_off,
                    Place {
                        type_id,
                        bits,
                        width: bit_width,
                        flagged,
                    },
                )));
            }
            if !self.name_is(name_off, "") {
                continue;
            }
            let inner = self.target(type_id)?;
            if inner.kind.is_composite() {
                let deeper = nesting
                    .checked_sub(1)
                    .ok_or_else(|| malformed(parent.id, "unnamed members nest without end"))?;
                let found = self.find(inner, name, bits, deeper, fuel)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// Element `index` of the array at `place`.
    fn element(&self, place: Place, member: &str, index: u32) -> Result<Place, MemberError> {
        let record = self.target(place.type_id)?;
        match record.kind {
            Kind::Array => {
                let [type_id, _, len] = record.fixed();
                // A flexible array is said to have no elements.
                if index >= len && len != 0 {
                    return Err(MemberError::NoSuchElement {
                        member: format!("{member}[{index}]"),
                        len,
                    });
                }
                let size = self.size(self.target(type_id)?)?;
                let bits = u64::from(index)
                    .checked_mul(u64::from(size) * 8)
                    .and_then(|distance| distance.checked_add(place.bits))
                    .ok_or_else(|| malformed(record.id, "an array is impossibly large"))?;
                let bits = within_reach(record.id, bits)?;
                Ok(Place {
                    type_id,
                    bits,
                    width: None,
                    flagged: false,
                })
            }
            Kind::Ptr => Err(MemberError::ThroughPointer {
                pointer: member.to_owned(),
            }),
            _ => Err(MemberError::NoSuchMember {
                type_name: self.describe(record),
                member: format!("{member}[{index}]"),
            }),
        }
    }

    /// How to name a type in a message.
    fn describe(&self, record: Record<'_>) -> String {
        match (self.name(record.name_off), record.kind) {
            (Some(name), _) if !name.is_empty() => name.to_owned(),
            (_, Kind::Struct) => "an unnamed struct".to_owned(),
            (_, Kind::Union) => "an unnamed union".to_owned(),
            (_, Kind::Array) => "an array".to_owned(),
            _ => "an unnamed type".to_owned(),
        }
    }
}

fn spend(fuel: &mut u32, type_id: u32) -> Result<(), MemberError> {
    *fuel = fuel
        .checked_sub(1)
        .ok_or_else(|| malformed(type_id, "too many members"))?;
    Ok(())
}
