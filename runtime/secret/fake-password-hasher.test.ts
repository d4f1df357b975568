import { countedRandom } from '../fake-random.fixture.ts';
import { fakePasswordHasher } from './fake-password-hasher.ts';
import { passwordHasherCases } from './password-hasher.case.ts';

passwordHasherCases(fakePasswordHasher(countedRandom(1)));
